"""Real editors, driven as a person drives them."""

import pytest

pytest.register_assert_rewrite("editors.tally")
