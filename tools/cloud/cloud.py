# SPDX-License-Identifier: Apache-2.0

"""The cloud, for programs."""

import pathlib
import shutil

from tools.cloud import exception, kinds, running
from tools.cloud import wanted as cloud_wanted
from tools.cloud.machine import installation
from tools.cloud.model import devices as cloud_devices
from tools.cloud.model import state as cloud_state
from tools.cloud.supervisor import supervisord
from tools.cloud.up import bringup
from tools.command_line import progress

_EMBEDDED = cloud_wanted.Wanted()


class Cloud(running.RunningCloud):
    """A cloud in a folder; it need not exist yet."""

    def up(
        self,
        wanted: cloud_wanted.Wanted = _EMBEDDED,
        report: progress.Progress | None = None,
    ) -> bool:
        """Bring the cloud up, unless it runs.

        :param wanted: what kind of cloud, and how large.
        :param report: where to tell how far it has come.
        :returns: False if it runs already.
        :raises StepFailed: if it does not come up; nothing of it then runs.
        :raises ForeignFolder: if the folder is not a cloud's.
        :raises UnusableFolder: if the folder cannot be made.
        :raises BadDevices: if a list of accelerators cannot be read.
        :raises TooManyDevices: if there are more lists than hosts.
        :raises NotInstalled: if there is no nova_cyborg to load.
        :raises CloudError: if there can be no such cloud, or the machine
            lacks something else.
        """
        if self.is_running():
            return False
        kind = kinds.of(wanted.kind)
        state = cloud_state.State(self.folder, wanted.settings())
        chosen = self._devices(wanted, kind.devices, state.settings.hosts)
        kind.require(state.settings)
        self._make_folder(state)
        try:
            cloud_devices.install(state, chosen)
            bringup.BringUp(
                state,
                kind,
                wanted.seconds or kind.seconds,
                report or progress.Progress(),
            ).run()
        except BaseException:
            # Whatever happened, Ctrl-C too: leave nothing running.
            supervisord.stop(self.folder)
            raise
        return True

    def down(self, keep: bool = False) -> bool:
        """Stop the cloud.

        :param keep: whether to leave its files.
        :returns: False if there is none.
        """
        supervisord.stop(self.folder)
        if cloud_state.State.load(self.folder) is None:
            return False
        if not keep:
            shutil.rmtree(self.folder)
        return True

    def _devices(
        self,
        wanted: cloud_wanted.Wanted,
        shipped: pathlib.Path,
        hosts: list[str],
    ) -> dict[str, pathlib.Path]:
        chosen = cloud_devices.choose(hosts, wanted.devices, shipped)
        if wanted.plugin or wanted.devices:
            installation.require_plugin()
            for path in chosen.values():
                cloud_devices.count(path)
        return chosen

    def _make_folder(self, state: cloud_state.State) -> None:
        try:
            self._clear()
            state.save()
        except OSError as error:
            raise exception.UnusableFolder(
                self.folder, error.strerror or str(error)
            ) from error

    def _clear(self) -> None:
        """Remove what an earlier cloud has left."""
        # Somebody may have removed the folder while its cloud ran.
        supervisord.stop(self.folder)
        if not self.folder.exists():
            return
        ours = cloud_state.State.load(self.folder) is not None
        if not ours and any(self.folder.iterdir()):
            raise exception.ForeignFolder(self.folder)
        shutil.rmtree(self.folder)
