# SPDX-License-Identifier: Apache-2.0

"""What was answered to whom, and whether the end follows from it."""

import collections
import collections.abc
import dataclasses
import threading
import typing as ty

# What each change is stored as.
Fields = dict[str, ty.Any]


@dataclasses.dataclass(frozen=True)
class Change:
    """A change that was accepted.

    :ivar uuid: the device context's UUID.
    :ivar revision: what it was at afterwards, as it was answered.
    :ivar apply: makes of what it was what it is.
    :ivar seen: what the answer had of it, by field.
    :ivar based_on: the revision that was named in If-Match, if one was.
    """

    uuid: str
    revision: int
    apply: collections.abc.Callable[[Fields], Fields]
    seen: Fields
    based_on: int | None = None


@dataclasses.dataclass(frozen=True)
class Sight:
    """What somebody was shown of a device context."""

    uuid: str
    revision: int
    seen: Fields


class Account:
    """All answers.

    :ivar made: of each device context the revision 0, by its UUID.
    :ivar keys: the UUIDs that were answered to each key.
    :ivar deleted: who was told that it was they who deleted it: how often.
    :ivar holders: what has somebody now: of device contexts and of slots, the
        server.
    :ivar errors: answers that no client may get.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.made: dict[str, Fields] = {}
        self.keys: dict[str, set[str]] = collections.defaultdict(set)
        self.deleted: collections.Counter[str] = collections.Counter()
        self.holders: dict[str, str] = {}
        self.changes: list[Change] = []
        self.sights: list[Sight] = []
        self.errors: list[str] = []
        self.statuses: collections.Counter[tuple[str, int]] = (
            collections.Counter()
        )

    def note(self, intent: str, status: int) -> None:
        """Count an answer."""
        with self._lock:
            self.statuses[intent, status] += 1

    def error(self, text: str) -> None:
        with self._lock:
            self.errors.append(text)

    def make(self, uuid: str, shown: Fields, key: str | None = None) -> None:
        """Note that a device context was made, or is what a key has made."""
        with self._lock:
            if key is not None:
                self.keys[key].add(uuid)
            if shown['revision'] == 0:
                self.made.setdefault(uuid, shown)
            self.sights.append(Sight(uuid, shown['revision'], shown))

    def change(self, change: Change) -> None:
        with self._lock:
            self.changes.append(change)

    def see(self, uuid: str, shown: Fields) -> None:
        with self._lock:
            self.sights.append(Sight(uuid, shown['revision'], shown))

    def delete(self, uuid: str) -> None:
        with self._lock:
            self.deleted[uuid] += 1
            if uuid in self.holders:
                self.errors.append(
                    f'{uuid} is deleted, which {self.holders[uuid]} holds'
                )

    def take(self, name: str, server_id: str) -> None:
        """Note that a server was given a device context, or a slot."""
        with self._lock:
            other = self.holders.setdefault(name, server_id)
            if other != server_id:
                self.errors.append(f'{server_id} has {name} of {other}')

    def give_back(self, server_id: str) -> None:
        """Note that a server is about to give back all that it has."""
        with self._lock:
            self.holders = {
                name: holder
                for name, holder in self.holders.items()
                if holder != server_id
            }

    def contradictions(
        self, end: collections.abc.Mapping[str, Fields]
    ) -> list[str]:
        """Find what does not follow from the answers.

        :param end: what is there in the end, by UUID.
        :returns: a sentence for each; none if all agrees.
        """
        found = [f'a client was told: {text}' for text in self.errors]
        found += [
            f'key {key} has made {sorted(uuids)}'
            for key, uuids in self.keys.items()
            if len(uuids) != 1
        ]
        found += [
            f'{uuid} was deleted {times} times'
            for uuid, times in self.deleted.items()
            if times != 1
        ]
        there, expected = set(end), set(self.made) - set(self.deleted)
        if there != expected:
            found.append(
                f'there are {sorted(there - expected)} besides, and '
                f'{sorted(expected - there)} are missing'
            )
        for uuid in self.made:
            found += self._of_one(uuid, end.get(uuid))
        return found

    def _of_one(self, uuid: str, end: Fields | None) -> list[str]:
        """Go from revision to revision, as the answers say."""
        changes = sorted(
            (each for each in self.changes if each.uuid == uuid),
            key=lambda each: each.revision,
        )
        steps = [each.revision for each in changes]
        if steps != list(range(1, len(steps) + 1)):
            return [f'{uuid} went by the revisions {steps}']
        state = {**self.made[uuid], 'revision': 0}
        states, found = [state], []
        for each in changes:
            if each.based_on not in (None, state['revision']):
                found.append(
                    f'{uuid}: revision {each.revision} was made of '
                    f'{each.based_on}'
                )
            state = {**each.apply(state), 'revision': each.revision}
            states.append(state)
            found += _differences(uuid, each.revision, each.seen, state)
        for sight in self.sights:
            if sight.uuid == uuid:
                found += self._wrong(sight, states)
        if end is not None:
            found += _differences(uuid, 'the end', end, state)
        return found

    def _wrong(self, sight: Sight, states: list[Fields]) -> list[str]:
        """Compare what somebody was shown with what there was.

        Tags are read after the rest, and may be those of a later revision:
        who changes something if it is as it was seen is refused then.
        """
        uuid, revision, seen = sight.uuid, sight.revision, dict(sight.seen)
        if revision >= len(states):
            return [f'{uuid} was seen at revision {revision}']
        if uuid in self.deleted and not seen.get('tags'):
            seen.pop('tags', None)
        if seen.get('tags') in [each['tags'] for each in states[revision:]]:
            del seen['tags']
        return _differences(uuid, revision, seen, states[revision])


def _differences(
    uuid: str, when: ty.Any, seen: Fields, state: Fields
) -> list[str]:
    return [
        f'{uuid} at {when}: {name} is {value!r}, and not {state[name]!r}'
        for name, value in seen.items()
        if name in state and value != state[name]
    ]
