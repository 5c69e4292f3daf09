# SPDX-License-Identifier: Apache-2.0

"""HTTP requests: those that a service serves, and those that it makes."""

import functools
import pathlib
import typing as ty
import urllib.parse

from tools.bench.tracing import units as units_module

_HEADER = 'HTTP_X_OPENSTACK_REQUEST_ID'
_SERVED_AS = 'openstack.request_id'


def serve(units: units_module.Units, deploy: ty.Any) -> None:
    """Write down the requests to applications that PasteDeploy loads.

    :param units: the process's units.
    :param deploy: the module of PasteDeploy.
    """
    stock = deploy.loadapp

    @functools.wraps(stock)
    def load(uri: str, *args: ty.Any, **kwargs: ty.Any) -> ty.Any:
        # config:/etc/nova/api-paste.ini
        service = pathlib.Path(uri).parent.name
        return _served(units, f'{service}-api', stock(uri, *args, **kwargs))

    deploy.loadapp = load


def _served(
    units: units_module.Units, role: str, application: ty.Any
) -> ty.Any:
    def serve_one(
        environ: dict[str, ty.Any], start_response: ty.Any
    ) -> ty.Any:
        name = f'{environ["REQUEST_METHOD"]} {environ["PATH_INFO"]}'
        with units.of(role, name, environ.get(_HEADER, '')) as unit:

            def start(status: str, headers: ty.Any, *more: ty.Any) -> ty.Any:
                size = dict(headers).get('Content-Length', 0)
                unit.more['size'] = int(size)
                return start_response(status, headers, *more)

            answer = application(environ, start)
            # Of a request that has brought none.
            unit.request = unit.request or environ.get(_SERVED_AS, '')
        return answer

    return serve_one


def call(units: units_module.Units, session: ty.Any) -> None:
    """Write down the requests that are made, and have them tell their origin.

    :param units: the process's units.
    :param session: keystoneauth's module.
    """
    stock = session.Session.request

    @functools.wraps(stock)
    def request(
        self: ty.Any, url: str, method: str, *args: ty.Any, **kwargs: ty.Any
    ) -> ty.Any:
        # OpenStack's own way to follow a request; Nova does not tell Cyborg.
        origin = units_module.request_id()
        if origin and not kwargs.get('global_request_id'):
            kwargs['global_request_id'] = origin
        wanted = (kwargs.get('endpoint_filter') or {}).get('service_type')
        path = urllib.parse.urlsplit(url).path
        with units.part('call', f'{method} {path}', to=wanted) as more:
            try:
                response = stock(self, url, method, *args, **kwargs)
            except Exception as error:
                more.update(_seen(getattr(error, 'response', None)))
                raise
            more.update(_seen(response))
            return response

    session.Session.request = request


def _seen(response: ty.Any) -> dict[str, ty.Any]:
    if response is None:
        return {}
    return {
        'port': urllib.parse.urlsplit(response.url).port,
        'status': response.status_code,
    }
