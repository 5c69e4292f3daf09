# SPDX-License-Identifier: Apache-2.0


"""What operators do to a cloud: configure, stop and start services."""

import collections.abc
import configparser
import contextlib
import pathlib

from tools.cloud import cloud as cloud_module

_START_SECONDS = 180


@contextlib.contextmanager
def stopped(
    cloud: cloud_module.Cloud, service: str
) -> collections.abc.Iterator[None]:
    """Stop a service while a block runs."""
    cloud.stop_service(service)
    try:
        yield
    finally:
        cloud.start_service(service, _START_SECONDS)


@contextlib.contextmanager
def configured(
    cloud: cloud_module.Cloud,
    service: str,
    path: pathlib.Path,
    section: str,
    **options: str,
) -> collections.abc.Iterator[None]:
    """Have a service run with other options while a block runs."""
    original = path.read_text()
    parser = configparser.ConfigParser(
        interpolation=None, delimiters=('=',), default_section='no default'
    )
    parser.read_string(original)
    parser.read_dict({section: options})
    cloud.stop_service(service)
    try:
        with path.open('w') as stream:
            parser.write(stream)
        cloud.start_service(service, _START_SECONDS)
        yield
    finally:
        cloud.stop_service(service)
        path.write_text(original)
        cloud.start_service(service, _START_SECONDS)
