from dataclasses import dataclass

import pytest

from fairneuron_core.errors import SettingError
from fairneuron_core.params import params_json, parse_params, setting


@dataclass(frozen=True)
class Example:
    rate: float = setting(0.1, label="Rate", low=0.0, high=1.0)
    epochs: int = setting(3, label="Epochs", low=1, high=10)
    kind: str = setting("a", label="Kind", choices=("a", "b"))
    sizes: tuple[int, ...] | None = setting(None, label="Sizes", low=1)
    wide: bool | None = setting(None, label="Wide")


def test_text_from_a_command_line_and_json_values_mean_the_same():
    text = {"rate": "0.5", "epochs": "4", "kind": "b", "sizes": "3,2", "wide": "yes"}
    plain = {"rate": 0.5, "epochs": 4, "kind": "b", "sizes": [3, 2], "wide": True}
    assert parse_params(Example, text) == parse_params(Example, plain) == Example(0.5, 4, "b", (3, 2), True)


def test_json_form_round_trips_with_defaults_filled_in():
    found = params_json(parse_params(Example, {"sizes": [5]}))
    assert found == {"rate": 0.1, "epochs": 3, "kind": "a", "sizes": [5], "wide": None}
    assert params_json(parse_params(Example, found)) == found


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rate": 1.5}, "outside 0.0 to 1.0"),
        ({"rate": "nan"}, "must be a number"),
        ({"epochs": 2.5}, "must be a whole number"),
        ({"epochs": True}, "must be a whole number"),
        ({"epochs": "many"}, "must be a whole number"),
        ({"kind": "c"}, "choose from a, b"),
        ({"sizes": "3,0"}, "outside"),
        ({"wide": "perhaps"}, "must be yes or no"),
        ({"depth": 1}, "Unknown setting 'depth'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_in_one_sentence(wrong, words):
    with pytest.raises(SettingError, match=words):
        parse_params(Example, wrong)
