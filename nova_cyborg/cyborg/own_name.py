# SPDX-License-Identifier: Apache-2.0

"""Taking the place of a class of Cyborg's that calls itself by its name."""

import typing as ty


class OwnName:
    """Is put before a class of Cyborg's, among the bases of what extends it.

    What extends it is put in its place, in its module. Up to release 14, it
    calls ``super(NAME, self).__init__()``, finds ours by that name, and would
    call itself.
    """

    _is_begun = False

    def __init__(self, *args: ty.Any, **kwargs: ty.Any) -> None:
        order = type(self).__mro__
        stock: ty.Any = order[order.index(OwnName) + 1]
        if self._is_begun:
            super(stock, self).__init__(*args, **kwargs)
            return
        self._is_begun = True
        super().__init__(*args, **kwargs)
