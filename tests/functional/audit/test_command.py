# SPDX-License-Identifier: Apache-2.0

"""What nova-cyborg-manage audit prints, and how it exits."""

import argparse

from nova_cyborg.cmd import audit


def test_the_table(cloud, running, placement, capsys):
    _provider, server_id, _context_id = running
    cloud.nova.delete(server_id)

    for repair, word in ((False, 'False'), (True, 'True')):
        arguments = argparse.Namespace(repair=repair, format='table', grace=0)
        assert audit.run(arguments) == (0 if repair else 1)
        output = capsys.readouterr().out
        header, *rows = [
            [cell.strip() for cell in line.strip('|').split('|')]
            for line in output.splitlines()
            if line.startswith('|')
        ]
        assert header == ['kind', 'subject', 'detail', 'repaired']
        first = rows[0]
        assert first[:2] == ['held-by-no-server', server_id]
        assert first[3] == word
