"""Writes the tables beside this file, all of them the same one: python make.py, with pandas 3.1.1, pyarrow 26.0.1, polars 2.1.0.

As people write them: pandas with nothing said (Snappy, dictionaries), Arrow with newer pages and encodings, Polars with Snappy, and
with nothing said, which is Zstandard.
"""

from pathlib import Path

import pandas
import polars
import pyarrow
import pyarrow.parquet

folder = Path(__file__).parent
rows = range(40)
table = pandas.DataFrame(
    {
        "case_id": [f"CASE-{row}" for row in rows],
        "taken_at": pandas.to_datetime([f"2026-01-{1 + row % 28:02}" for row in rows]),
        "patient_id": [70_000 + row // 2 for row in rows],
        "score": [None if row % 11 == 5 else (row * 37 % 40 + 0.1) / 41 for row in rows],
        "label": pandas.array([None if row % 13 == 7 else row % 2 for row in rows], dtype="Int64"),
        "sex": pandas.Categorical(["F", "M", "F", None, "M"][row % 5] for row in rows),
        "kvp": [80.0 + row % 3 for row in rows],
    }
)
table.to_csv(folder / "pandas.csv", index=False)
table.to_parquet(folder / "pandas.parquet", row_group_size=17)
arrow = pyarrow.Table.from_pandas(table, preserve_index=False)
pyarrow.parquet.write_table(
    arrow,
    folder / "arrow.parquet",
    data_page_version="2.0",
    compression="gzip",
    use_dictionary=False,
    column_encoding={
        "case_id": "DELTA_BYTE_ARRAY",
        "patient_id": "DELTA_BINARY_PACKED",
        "score": "BYTE_STREAM_SPLIT",
        "label": "DELTA_BINARY_PACKED",
        "sex": "DELTA_LENGTH_BYTE_ARRAY",
    },
)
polars.from_arrow(arrow).write_parquet(folder / "polars.parquet", compression="snappy")
polars.from_arrow(arrow).write_parquet(folder / "polars-zstd.parquet")
