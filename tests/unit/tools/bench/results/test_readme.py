# SPDX-License-Identifier: Apache-2.0

import shutil

import pytest

from tools.bench.results import readme
from tools.cloud.machine import installation


@pytest.fixture
def copied(tmp_path):
    """The README, in a folder of its own."""
    return shutil.copy(installation.ROOT / 'README.rst', tmp_path)


def test_the_plot_is_shown_once(copied, tmp_path):
    plot = tmp_path / 'doc' / 'readme.png'
    path = tmp_path / 'README.rst'

    for _run in range(2):
        readme.show(path, plot)

    lines = path.read_text().splitlines()
    place = lines.index('.. image:: doc/readme.png')
    assert lines[place - 3] == 'What it costs'
    assert lines[place - 1] == lines[place + 2] == ''
    assert lines.count('.. image:: doc/readme.png') == 1
    assert max(map(len, lines[place : place + 3])) <= 79


def test_the_rest_is_as_it_was(copied, tmp_path):
    plot = tmp_path / 'doc' / 'readme.png'
    path = tmp_path / 'README.rst'
    before = path.read_text()

    readme.show(path, plot)

    shown = readme.image(plot.relative_to(tmp_path)) + '\n'
    assert path.read_text().replace(shown, '') == before


def test_a_readme_without_a_place_for_it(tmp_path):
    path = tmp_path / 'README.rst'
    path.write_text('nova_cyborg\n')

    with pytest.raises(ValueError, match='What it costs'):
        readme.show(path, tmp_path / 'readme.png')
