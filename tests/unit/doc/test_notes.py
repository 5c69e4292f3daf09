# SPDX-License-Identifier: Apache-2.0

"""Release notes are shown with the release that brought them."""

import subprocess

import notes
import pytest


@pytest.fixture
def repository(tmp_path):
    def git(*words):
        subprocess.run(
            [
                'git',
                '-c',
                'user.name=n',
                '-c',
                'user.email=e',
                '-c',
                'commit.gpgsign=false',
                *words,
            ],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    git('init', '--quiet', '--initial-branch', 'main')
    (tmp_path / 'releasenotes' / 'notes').mkdir(parents=True)
    return git


def write(root, name, text):
    path = root / 'releasenotes' / 'notes' / f'{name}.yaml'
    path.write_text(text)


def commit(git, subject):
    git('add', '--all')
    git('commit', '--quiet', '--message', subject)


def releases(root):
    return {
        release: [note['upgrade'] for note in found]
        for release, found in notes.by_release(root).items()
    }


def test_a_note_belongs_to_the_first_release_that_has_it(repository, tmp_path):
    write(tmp_path, 'one-0000000000000001', 'upgrade: [first]')
    commit(repository, 'one')
    repository('tag', '1.9.0')
    write(tmp_path, 'two-0000000000000002', 'upgrade: [second]')
    commit(repository, 'two')
    repository('tag', '1.10.0')
    # Neither a correction nor another name makes it a new one.
    repository(
        'mv',
        'releasenotes/notes/one-0000000000000001.yaml',
        'releasenotes/notes/uno-0000000000000001.yaml',
    )
    write(tmp_path, 'uno-0000000000000001', 'upgrade: [corrected]')
    write(tmp_path, 'three-0000000000000003', 'upgrade: [third]')

    found = releases(tmp_path)
    assert found == {
        notes.UNRELEASED: [['third']],
        '1.10.0': [['second']],
        '1.9.0': [['corrected']],
    }
    assert list(found) == [notes.UNRELEASED, '1.10.0', '1.9.0']


def test_a_merge_may_add_a_note_and_change_it(repository, tmp_path):
    write(tmp_path, 'old-0000000000000001', 'upgrade: [old]')
    commit(repository, 'old')
    repository('checkout', '--quiet', '-b', 'side')
    write(tmp_path, 'new-0000000000000002', 'upgrade: [new]')
    commit(repository, 'new')
    repository('checkout', '--quiet', 'main')
    write(tmp_path, 'other-0000000000000003', 'upgrade: [other]')
    commit(repository, 'other')
    repository('merge', '--quiet', '--no-commit', 'side')
    write(tmp_path, 'new-0000000000000002', 'upgrade: [changed]')
    commit(repository, 'merge')
    repository('tag', '1.0.0')

    assert releases(tmp_path) == {'1.0.0': [['changed'], ['old'], ['other']]}


def test_without_git_nothing_is_known_to_be_released(tmp_path, monkeypatch):
    (tmp_path / 'releasenotes' / 'notes').mkdir(parents=True)
    write(tmp_path, 'one-0000000000000001', 'upgrade: [first]')
    monkeypatch.setenv('PATH', '')
    assert releases(tmp_path) == {notes.UNRELEASED: [['first']]}


def test_what_is_asked_for_is_shown():
    found = {
        '1.0.0': [
            {'upgrade': ['Run it.\n\nThen look.\n'], 'fixes': ['Not shown.']},
            {'upgrade': 'Alone.'},
        ],
        '0.9.0': [{'fixes': ['Not shown.']}],
    }
    text = '\n'.join(notes.lines(found, {'upgrade': 'To do'}))
    assert text == (
        '1.0.0\n=====\n\nTo do\n-----\n\n* Run it.\n\n  Then look.\n\n'
        '* Alone.\n\n0.9.0\n=====\n\nNothing.\n'
    )
