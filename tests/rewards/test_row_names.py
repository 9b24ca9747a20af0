import pyarrow as pa

from rewards.row_names import row_name


def test_a_candidate_is_named_by_its_number_and_another_sample_by_its_place_in_the_batch() -> None:
    table = pa.table({"candidate_id": [5, 6, 7, 8], "text": ["a", "b", "c", "d"]})
    assert row_name(table.slice(2), 1) == "candidate 8"
    assert (
        row_name(table.drop_columns(["candidate_id"]).slice(2), 1) == "row 1 of 2 scored together"
    )
