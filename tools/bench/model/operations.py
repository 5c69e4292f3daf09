# SPDX-License-Identifier: Apache-2.0

"""The names of what is done."""

#: The most device contexts that a server is booted with.
MOST_CONTEXTS = 16

MAKE = 'make'
BOOT = 'boot'
REBOOT = 'hard reboot'
SHELVE = 'shelve'
UNSHELVE = 'unshelve'
MIGRATE = 'cold migrate'
ATTACH = 'attach'
DETACH = 'detach'
DELETE = 'delete'
BOOT_PLAIN = 'boot without accelerators'
REBOOT_PLAIN = 'hard reboot without accelerators'
DELETE_PLAIN = 'delete without accelerators'
BOOT_MANY = f'boot with {MOST_CONTEXTS}'
DELETE_MANY = f'delete with {MOST_CONTEXTS}'
LIST = 'list'
LIST_BOUND = 'list bound'

#: In the order in which they are shown.
ALL = (
    MAKE,
    BOOT,
    REBOOT,
    SHELVE,
    UNSHELVE,
    MIGRATE,
    ATTACH,
    DETACH,
    DELETE,
    LIST,
    LIST_BOUND,
    BOOT_MANY,
    DELETE_MANY,
    BOOT_PLAIN,
    REBOOT_PLAIN,
    DELETE_PLAIN,
)
