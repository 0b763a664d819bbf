"""Every exhibit of the gallery performed to its end: `make test-claims`, some tens of minutes."""

from __future__ import annotations

import pytest
import torch

from ebmlab.engine.types import finish
from ebmlab.session.gallery import exhibits, perform


@pytest.mark.claims
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("exhibit", exhibits(), ids=lambda e: e.name)
def test_that_an_exhibit_bears_out_what_it_claims(exhibit):
    torch.set_num_threads(1)
    found = finish(perform(exhibit, "cpu"))
    broken = [f"{f.claim}  ({f.left:.5g}, {f.right:.5g})" for f in found.findings if not f.holds]
    assert not broken, broken
