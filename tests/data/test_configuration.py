"""Fields a later release added stay out of records while neutral; rows of a configuration."""

import pytest
from pydantic import Field, ValidationError

from data.configuration import FrozenConfig, describe_errors, field_rows, plain_value, setting


class Inner(FrozenConfig):
    size: int = setting(3, "how many", "S", ge=0)
    extra: float = setting(0.0, "an option of a later release", "O", added=True)


class Outer(FrozenConfig):
    name: str = setting("a", "what it is called", "O")
    inner: Inner = setting(Inner(), "one of them", "S")
    several: tuple[Inner, ...] = setting((), "more of them", "O")
    later: Inner = setting(Inner(), "added as a whole", "O", added=True)
    bare: int = Field(1, description="without a tag")


def test_an_added_field_is_left_out_of_plain_values_while_it_is_neutral() -> None:
    plain = Outer().model_dump(mode="json")
    assert plain == {"name": "a", "inner": {"size": 3}, "several": [], "bare": 1}


def test_an_added_field_that_is_set_is_a_plain_value_like_any_other() -> None:
    outer = Outer(inner=Inner(extra=0.5), several=(Inner(), Inner(extra=1.0)), later=Inner(size=4))
    plain = outer.model_dump(mode="json")
    assert plain["inner"] == {"size": 3, "extra": 0.5}
    assert plain["several"] == [{"size": 3}, {"size": 3, "extra": 1.0}]
    assert plain["later"] == {"size": 4}


def test_plain_values_with_and_without_added_fields_are_read_back_as_they_were() -> None:
    for outer in (Outer(), Outer(later=Inner(extra=2.0))):
        assert Outer.model_validate(outer.model_dump(mode="json")) == outer
        assert Outer.model_validate_json(outer.model_dump_json()) == outer


def test_the_neutral_value_may_also_be_given() -> None:
    assert Inner(extra=0.0).model_dump() == {"size": 3}
    assert Inner.model_validate({"extra": 0}) == Inner()


def test_rows_name_every_leaf_with_its_value_meaning_and_source() -> None:
    rows = field_rows(Outer(several=(Inner(size=7),)))
    assert [row["path"] for row in rows] == [
        "name", "inner.size", "inner.extra", "several.0.size", "several.0.extra",
        "later.size", "later.extra", "bare",
    ]  # fmt: skip
    assert rows[3] == {
        "path": "several.0.size", "value": 7, "meaning": "how many", "source": "S"
    }  # fmt: skip
    assert rows[-1]["source"] == "O", "a field without a tag is our own choice"


def test_an_empty_row_of_configurations_is_one_leaf() -> None:
    assert {"path": "several", "value": [], "meaning": "more of them", "source": "O"} in field_rows(
        Outer()
    )


@pytest.mark.parametrize(
    ("value", "plain"),
    [((1, (2.5, None)), [1, [2.5, None]]), (Inner(), {"size": 3}), ("a", "a"), (True, True)],
)
def test_plain_values_are_those_of_json(value: object, plain: object) -> None:
    assert plain_value(value) == plain


def test_an_unknown_source_tag_is_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError, match="unknown source tag 'X'"):
        setting(1, "meaning", "X")


def test_errors_name_the_key_what_was_expected_and_what_came() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": {"size": -1, "sise": 2}})
    text = describe_errors(caught.value)
    assert "inner.size: Input should be greater than or equal to 0, got -1" in text
    assert "inner.sise: unknown key; `pluralist config DOMAIN` prints all there are" in text


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Inner().size = 4  # type: ignore[misc]


def test_infinite_numbers_are_refused() -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Inner(extra=float("inf"))


class Item(FrozenConfig):
    size: int = setting(1, "a size", "O", ge=0)


class Items(FrozenConfig):
    items: tuple[Item, ...] = setting(..., "some items", "O", min_length=1)


def test_a_wrong_item_is_not_followed_by_the_count_of_the_others() -> None:
    with pytest.raises(ValidationError) as wrong:
        Items.model_validate({"items": [{"size": -1}]})
    text = describe_errors(wrong.value)
    assert text == "items.0.size: Input should be greater than or equal to 0, got -1"
    with pytest.raises(ValidationError) as empty:
        Items.model_validate({"items": []})
    assert describe_errors(empty.value).startswith("items: Tuple should have at least 1 item")
