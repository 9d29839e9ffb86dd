"""The rigs that the contract suites run: a line for each kind of carrier, and for each kind that calls us."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.carriers.contract import Rig
from tests.carriers.hooks import HookRig
from tests.carriers.http_far import FARS
from tests.carriers.http_hooks import HTTP_HOOKS
from tests.carriers.http_rig import HttpRig
from tests.carriers.sandbox_hooks import SandboxHooks
from tests.carriers.sandbox_rig import SandboxRig
from tests.carriers.smpp_rig import SmppRig

RIGS: tuple[Callable[[], Rig], ...] = (SandboxRig, SmppRig, *(partial(HttpRig, far) for far in FARS))

HOOKS: tuple[HookRig, ...] = (SandboxHooks(), *HTTP_HOOKS)
