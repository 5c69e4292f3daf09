# SPDX-License-Identifier: Apache-2.0

from tools.bench.results import figures, phases, table


def test_columns_are_beneath_each_other():
    assert table.lines([('a', 'b'), ('long', '1'), ('x', '200')]) == [
        'a       b',
        '----  ---',
        'long    1',
        'x     200',
    ]


def test_ratios_are_of_what_both_have(found):
    rows = table.ratios(found)

    assert rows[1] == ('boot', '10', '0.5', '0.5')
    assert rows[2] == ('boot', '1,000', '0.01', '0.01')
    # Stock was not measured at 10,000.
    assert [row[:2] for row in rows[3:]] == [
        ('hard reboot', '10'),
        ('hard reboot', '1,000'),
        ('delete', '10'),
        ('delete', '1,000'),
        ('boot without accelerators', '10'),
    ]


def test_times_are_in_milliseconds(found):
    rows = table.times(found, phases.WHOLE)

    assert rows[0][0] == 'whole, ms'
    assert ('boot', '10,000', 'contexts', '3', '110', '110', '110') in rows
    assert (
        'boot',
        '1,000',
        'stock',
        '3',
        '10,000',
        '10,000',
        '10,000',
    ) in rows


def test_throughput_is_in_minutes(found):
    assert table.throughput(found)[1:] == [
        ('32 clients', '10', 'contexts', '60', '0', '60'),
        ('32 clients', '10', 'stock', '40', '1', '40'),
    ]


def test_memory_is_in_mebibytes(found):
    assert table.memory(found) == [
        ('memory, MiB', 'plugin', 'processes', '10 bound'),
        ('nova', 'on', '2', '2'),
    ]


def test_figures_have_their_bounds(found):
    rows = table.figures(figures.of(found))

    assert (
        'accelerator part of a boot, 10,000 bound against 10',
        '1.1',
        '≤ 1.2',
        'pass',
    ) in rows


def test_what_cyborg_does_for_device_contexts(found):
    assert table.requests(found)[1:] == [
        (
            'boot',
            'cyborg-api: POST /v2/device_allocations/{id}/bind',
            '1',
            '10',
            '20',
            '512',
        )
    ]


def test_what_an_accelerator_takes_in_the_database(found):
    assert table.tables(found)[1:] == [
        ('device_contexts', '2', '1,024', '0.0954'),
        ('all', '', '1,024', '0.0954'),
    ]
