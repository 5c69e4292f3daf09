# SPDX-License-Identifier: Apache-2.0

"""Diagrams are drawn from a text, as SVG that stands in a page."""

import pathlib
import re
import xml.etree.ElementTree as ET

import drawing
import graphs
import pytest
import sequences

DOC = pathlib.Path(__file__).parents[3] / 'doc' / 'source'
SVG = '{http://www.w3.org/2000/svg}'
SEQUENCE = """
client, nova-api, nova-conductor

client -> nova-api: boot a server, with the hint of a device context
nova-api -> nova-conductor: RPC
nova-api --> client: 202 <accepted>
nova-conductor: binds
nova-conductor -> client: done
"""
GRAPH = """
(new)  available  *reserved*
.      .          error

new -> available
available -> reserved: boot
reserved -> available: gives back
available --> error: failed
"""
# Arrows and corners that are made of characters.
DRAWN_BY_HAND = re.compile(r'--+>|<--+|\+--+\+.*\+--+\+|^ +\|( +\|)+ *$')


def drawn(module, source):
    text = module.svg(source.splitlines(), 'What "it" shows')
    root = ET.fromstring(text)  # noqa: S314 - it is our own
    assert root.tag == SVG + 'svg'
    return root


def texts(root):
    return [element.text for element in root.iter(SVG + 'text')]


def numbers_of(root):
    width, height = (float(n) for n in root.get('viewBox').split()[2:])
    for element in root.iter(SVG + 'text'):
        yield float(element.get('x')), width
        yield float(element.get('y')), height
    for element in root.iter(SVG + 'path'):
        for x, y in re.findall(r'[ML]([-0-9.]+) ([-0-9.]+)', element.get('d')):
            yield float(x), width
            yield float(y), height


@pytest.mark.parametrize(
    ('module', 'source'), [(sequences, SEQUENCE), (graphs, GRAPH)]
)
class TestBoth:
    def test_who_does_not_see_it_is_told(self, module, source):
        root = drawn(module, source)
        assert root.get('role') == 'img'
        assert root.get('aria-label') == 'What "it" shows'

    def test_it_has_no_colour_but_that_of_the_text(self, module, source):
        colours = {
            element.get(name)
            for element in drawn(module, source).iter()
            for name in ('fill', 'stroke')
        }
        assert colours <= {None, 'none', 'currentColor'}

    def test_there_may_be_many_in_a_page(self, module, source):
        root = drawn(module, source)
        assert not [e for e in root.iter() if e.get('id')]

    def test_all_of_it_is_within(self, module, source):
        found = list(numbers_of(drawn(module, source)))
        assert found
        assert not [(n, most) for n, most in found if not 0 <= n <= most]


def test_a_sequence_has_all_steps_in_their_order():
    found = texts(drawn(sequences, SEQUENCE))
    assert found[:3] == ['client', 'nova-api', 'nova-conductor']
    steps = ' '.join(found[3:])
    assert steps == (
        'boot a server, with the hint of a device context RPC '
        '202 <accepted> binds done'
    )


def test_only_answers_are_dashed():
    dashed = [
        element
        for element in drawn(sequences, SEQUENCE).iter(SVG + 'path')
        if element.get('stroke-dasharray')
    ]
    assert len(dashed) == 1


def test_a_text_stands_in_a_gap_of_the_line_that_it_covers():
    root = drawn(sequences, SEQUENCE)
    # What the last step says lies over nova-api's line.
    [text] = [e for e in root.iter(SVG + 'text') if e.text == 'done']
    [name] = [e for e in root.iter(SVG + 'text') if e.text == 'nova-api']
    x, y = name.get('x'), float(text.get('y'))
    lives = re.findall(
        rf'"M{x} ([0-9.]+) L{x} ([0-9.]+)"',
        sequences.svg(SEQUENCE.splitlines(), 'it'),
    )
    assert len(lives) == 2
    assert not [1 for top, end in lives if float(top) < y < float(end)]


def test_a_graph_has_boxes_and_texts():
    root = drawn(graphs, GRAPH)
    assert len(list(root.iter(SVG + 'rect'))) == 3
    assert len(list(root.iter(SVG + 'polygon'))) == 4
    assert set(texts(root)) == {
        'new',
        'available',
        'reserved',
        'error',
        'boot',
        'gives back',
        'failed',
    }


def test_what_leads_there_and_back_is_two_lines():
    root = drawn(graphs, 'one  two\none -> two: give\ntwo -> one: take')
    heights = {
        re.search(r'M[0-9.]+ ([0-9.]+)', element.get('d'))[1]
        for element in root.iter(SVG + 'path')
    }
    assert len(heights) == 2


@pytest.mark.parametrize(
    ('module', 'source'),
    [
        (sequences, ''),
        (sequences, 'one, two'),
        (sequences, 'one, two\nsays nothing'),
        (sequences, 'one, two\none -> three: hello'),
        (sequences, 'one, two\nthree: thinks'),
        (graphs, ''),
        (graphs, 'one  two'),
        (graphs, 'one  two\none -> three'),
    ],
)
def test_what_cannot_be_drawn_is_said(module, source):
    with pytest.raises(drawing.DiagramError):
        module.svg(source.splitlines(), 'it')


def test_no_page_has_one_made_of_characters():
    found = []
    for path in DOC.rglob('*.rst'):
        directive = ''
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line and not line.startswith(' '):
                directive = line
            if directive.startswith(('.. graph::', '.. sequence::')):
                continue
            # How diagrams are written is shown once.
            if directive == '.. code-block:: rst':
                continue
            # A client's table has one frame, and a prompt before it.
            if DRAWN_BY_HAND.search(line) and '+--' not in line[:8]:
                found.append(f'{path.relative_to(DOC)}:{number}: {line}')
    assert not found
