# SPDX-License-Identifier: Apache-2.0

"""A class that is replaced, and knows itself by its name."""

import types

import pytest

from nova_cyborg.cyborg import own_name

STOCK = """
class Base:
    def __init__(self, conf):
        self.conf = conf

class Manager(Base):
    def __init__(self, topic, host=None):
        super({}).__init__('conf')
        self.topic, self.host = topic, host
"""


@pytest.mark.parametrize('named', ['Manager, self', ''])
def test_it_is_made_once(named):
    module = types.ModuleType('module_of_a_test')
    exec(STOCK.format(named), vars(module))  # noqa: S102

    class Manager(own_name.OwnName, module.Manager):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.more = True

    class Another(Manager):
        pass

    module.Manager = Manager

    for cls in (Manager, Another):
        made = cls('topic', host='host')
        assert (made.conf, made.topic, made.host, made.more) == (
            'conf',
            'topic',
            'host',
            True,
        )
