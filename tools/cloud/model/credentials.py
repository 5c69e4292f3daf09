# SPDX-License-Identifier: Apache-2.0

"""How clients log in to the cloud."""

import collections.abc
import shlex

from keystoneauth1 import session
from keystoneauth1.identity import v3

from tools.cloud.model import settings
from tools.cloud.model import state as cloud_state


def environment(state: cloud_state.State, user: str) -> dict[str, str]:
    """Return the environment variables of OpenStack's clients.

    :param user: who logs in.
    :returns: variables and their values.
    """
    return {
        'OS_AUTH_TYPE': 'password',
        'OS_AUTH_URL': state.url('keystone'),
        'OS_IDENTITY_API_VERSION': '3',
        'OS_USERNAME': user,
        'OS_PASSWORD': state.settings.passwords[user],
        'OS_USER_DOMAIN_NAME': 'Default',
        'OS_PROJECT_NAME': settings.PEOPLE[user],
        'OS_PROJECT_DOMAIN_NAME': 'Default',
        'OS_REGION_NAME': settings.REGION,
    }


def exports(variables: dict[str, str]) -> str:
    """Return environment variables as a shell reads them.

    :param variables: the variables.
    :returns: one ``export`` line each.
    """
    return '\n'.join(
        f'export {name}={shlex.quote(value)}'
        for name, value in variables.items()
    )


def log_in(
    variables: collections.abc.Mapping[str, str], timeout: float | None = None
) -> session.Session:
    """Log in.

    :param variables: the environment variables of OpenStack's clients.
    :param timeout: seconds that a request may take.
    :returns: the session; it takes its token on the first request.
    """
    return session.Session(
        auth=v3.Password(
            auth_url=variables['OS_AUTH_URL'],
            username=variables['OS_USERNAME'],
            password=variables['OS_PASSWORD'],
            user_domain_name=variables['OS_USER_DOMAIN_NAME'],
            project_name=variables['OS_PROJECT_NAME'],
            project_domain_name=variables['OS_PROJECT_DOMAIN_NAME'],
        ),
        timeout=timeout,
    )


def log_in_as_admin(state: cloud_state.State) -> session.Session:
    """Log in as the administrator.

    :returns: the session.
    """
    return log_in(environment(state, 'admin'))
