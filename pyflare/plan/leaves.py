"""Spark's operators that have rows from elsewhere (files, ranges, tables in the plan), as IR."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlparse

from pyflare.errors import Unsupported
from pyflare.io.parquet import ScanColumn, ScanFile, ScanSpec
from pyflare.plan import operators as ops
from pyflare.plan.decode import Json
from pyflare.plan.pruning import chooses_by_subquery, prunes
from pyflare.plan.translate import Translation, translates
from pyflare.plan.wire import kernel_value, literal_value, wire_type
from pyflare.types import DataType

MAX_RANGE_ROWS = 2**40


@translates("FileSourceScanExec")
def scan(translation: Translation, node: Json) -> ops.Operator:
    """A Parquet scan; partition columns come after the file's columns."""
    fields = node["f"]
    if fields["format"] != "ParquetFileFormat":
        raise Unsupported(f"files of format {fields['format']} are not supported")
    if fields["metadataColumns"]:
        raise Unsupported("file metadata columns are not supported")
    if any("EXISTS_DEFAULT" in column.get("metadata", {}) for column in fields["requiredSchema"]["fields"]):
        raise Unsupported("columns with a default for older files are not supported")
    attrs = translation.attributes(node)
    partitions = [column["name"] for column in fields["partitionSchema"]["fields"]]
    types = [wire_type(column["type"]) for column in fields["partitionSchema"]["fields"]]
    required = len(fields["requiredSchema"]["fields"])
    columns = tuple(
        ScanColumn(
            attr.label if index >= required else fields["requiredSchema"]["fields"][index]["name"],
            attr.type,
            partitions.index(attr.label) if index >= required else None,
        )
        for index, attr in enumerate(attrs)
    )
    if any(chooses_by_subquery(json) for json in fields["partitionFilters"]):
        raise Unsupported("a subquery chooses its partitions")
    spec = ScanSpec(
        files=tuple(_file(json, types) for json in fields["files"]),
        columns=columns,
        prune=tuple(prunes(translation.decoder, fields["partitionFilters"] + fields["dataFilters"], attrs)),
        case_sensitive=translation.conf.get("spark.sql.caseSensitive") == "true",
        conf={**translation.conf, **dict(map(tuple, fields["options"]["m"]))},
    )
    return ops.Scan(attrs=attrs, node=node["i"], spec=spec)


def _file(json: Json, types: list[DataType]) -> ScanFile:
    url = urlparse(json["path"])
    if url.scheme not in ("", "file"):
        raise Unsupported(f"files on {url.scheme} are not supported, only local ones")
    values = tuple(
        kernel_value(type_, literal_value({"t": str(type_), **value} if isinstance(value, Mapping) else {"v": value}))
        for type_, value in zip(types, json["pv"], strict=True)
    )
    return ScanFile(unquote(url.path), json["len"], values)


@translates("RangeExec")
def range_(translation: Translation, node: Json) -> ops.Operator:
    fields = node["f"]
    if len(range(fields["start"], fields["end"], fields["step"])[:MAX_RANGE_ROWS]) == MAX_RANGE_ROWS:
        raise Unsupported(f"a range of {MAX_RANGE_ROWS} rows or more")
    return ops.Range(
        attrs=translation.attributes(node),
        node=node["i"],
        start=fields["start"],
        end=fields["end"],
        step=fields["step"],
    )


@translates("LocalTableScanExec")
def local_table(translation: Translation, node: Json) -> ops.Operator:
    attrs = translation.attributes(node)
    rows = node["f"]["rows"]
    if isinstance(rows, Mapping):
        raise Unsupported("the local relation is too large or has values of unsupported types")
    values = tuple(
        tuple(
            kernel_value(attr.type, literal_value(cell if isinstance(cell, Mapping) else {"v": cell}))
            for attr, cell in zip(attrs, row, strict=True)
        )
        for row in rows
    )
    return ops.Values(attrs=attrs, node=node["i"], rows=values)
