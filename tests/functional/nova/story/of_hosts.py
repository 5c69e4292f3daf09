# SPDX-License-Identifier: Apache-2.0

"""What happens to hosts, and to the services."""

from tests.functional.nova.story import story  # isort: skip - first

import typing as ty

from tests.functional.inventory import chance

# What the audit finds after what is done to the hosts.
_EXPECTED = frozenset({'device-missing', 'slot-not-cleaned'})


class TestCase(story.TestCase):
    """Reports, cleaning, and services that are killed."""

    STEPS: ty.ClassVar = {
        'report': (6, ()),
        'killed_report': (2, ()),
        'kill_agent': (1, ()),
        'kill_conductor': (1, ()),
        'kill_compute': (1, ()),
        'clean': (4, ()),
        'late_word': (1, ()),
        'audit': (1, ()),
    }

    def _cards(self, host: str) -> list[dict[str, ty.Any]]:
        """Return cards of a host: all of them, or some, or odd ones."""
        if self.chance.random() < 0.4:
            return chance.all_cards(self.cleaning(host))
        return chance.cards(self.chance, self.cleaning(host))

    def report_cards(
        self, host: str, cards: list[dict[str, ty.Any]], kill: int = 0
    ) -> None:
        self.tell(
            ' '.join(
                f'{card["address"][5:7]}:{",".join(_short(card))}'
                for card in cards
            )
        )
        if self.report(host, cards, kill):
            self.tell(f'killed at {kill}')
            self.sure.discard(host)
        else:
            self.sure.add(host)

    def do_report(self) -> None:
        """The agent of a host reports what there is now."""
        host = self.any_host()
        self.report_cards(host, self._cards(host))

    def do_killed_report(self) -> None:
        """Cyborg's services are killed while they take a report."""
        host = self.any_host()
        kill = self.chance.randint(1, 60)
        self.report_cards(host, self._cards(host), kill)

    def do_kill_agent(self) -> None:
        """An agent is killed, perhaps while it cleans a slot."""
        self.cyborg.control('kill_agent', host=self.any_host())

    def do_kill_conductor(self) -> None:
        """nova-conductor is killed, and started again."""
        self.restart_conductor()

    def do_kill_compute(self) -> None:
        """nova-compute is killed, and started again; guests go on."""
        self.restart_compute_service(self.any_host())

    def do_clean(self) -> None:
        """An agent cleans what it was told to, or fails, or takes long."""
        host = self.any_host()
        how = self.chance.choice(('well', 'well', 'fail', 'wait', 'lose'))
        self.tell(how)
        for name in ('fail', 'wait'):
            path = self.folders[host] / name
            if how == name:
                path.touch()
            else:
                path.unlink(missing_ok=True)
        self.cyborg.control(
            'clean', host=host, wait=how != 'wait', lose=how == 'lose'
        )

    def do_late_word(self) -> None:
        """A word of an agent comes late, or again."""
        self.cyborg.control(
            'repeat_word',
            host=self.any_host(),
            number=self.chance.randrange(100),
        )

    def do_audit(self) -> None:
        """The audit finds nothing but what was done to the hosts."""
        found = self.audit_rows()
        self.tell(str(sorted({row['kind'] for row in found})))
        if self.all_sure():
            kinds = {row['kind'] for row in found}
            self.assertLessEqual(kinds, _EXPECTED, found)


def _short(card: dict[str, ty.Any]) -> list[str]:
    """Return the slots of a card, for what is told."""
    return [f'{at[5:7]}.{at[-1]}' for at in card['handles']['addresses']]
