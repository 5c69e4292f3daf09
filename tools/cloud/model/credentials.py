# SPDX-License-Identifier: Apache-2.0

"""How clients log in to the cloud."""

import shlex

from keystoneauth1 import session
from keystoneauth1.identity import v3

from tools.cloud.model import settings
from tools.cloud.model import state as cloud_state


def environment(state: cloud_state.State, user: str) -> dict[str, str]:
    """Return the environment variables of OpenStack's clients.

    :param state: the cloud.
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


def log_in(state: cloud_state.State, user: str) -> session.Session:
    """Log in.

    :param state: the cloud.
    :param user: who logs in.
    :returns: the session; it takes its token on the first request.
    """
    return session.Session(
        auth=v3.Password(
            auth_url=state.url('keystone'),
            username=user,
            password=state.settings.passwords[user],
            user_domain_name='Default',
            project_name=settings.PEOPLE[user],
            project_domain_name='Default',
        )
    )
