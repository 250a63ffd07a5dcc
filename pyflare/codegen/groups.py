"""Where a pipeline ends in groups: how a row finds its group, and updates that group's states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyflare.codegen import aggregates
from pyflare.codegen.aggregates import Accumulator, Call, StateArray
from pyflare.codegen.arena import keep_texts
from pyflare.codegen.kernel import Kernel, conjunction
from pyflare.codegen.values import Source, Value, buffer, scalar
from pyflare.errors import Unsupported
from pyflare.io.columns import Encoding, Layout
from pyflare.plan.expressions import Expr
from pyflare.plan.operators import AggregateCall, Named
from pyflare.types import BOOLEAN, Kind

HASH_ONLY = "pyflare.hashOnly"  # set in a kernel's conf when dense groups have turned out to be too many
TYPICAL_DICTIONARY = 32
MIN_DENSE_GROUPS = 2**16
MAX_DENSE_GROUPS = 2**25
_WORD_BITS = 64


@dataclass(frozen=True)
class KeyColumn:
    """One grouping key: how it lies in the table's key words, or which dense digit it is.

    `word` is the first of its `width` key words; `bit` is its null bit in the first word of all, if it may be null. For
    dense keys `low` is the value of digit zero (after the null digit, if any) and `span` the number of digits, 0 when a
    dictionary decides.
    """

    layout: Layout
    source: Source | None
    word: int = 0
    bit: int | None = None
    low: int = 0
    span: int = 0
    width: int = 1


@dataclass(frozen=True)
class GroupsSpec:
    """What the runtime must provide for, and take from, a kernel that aggregates.

    `how` is `global`, `dense` (the group is computed from the keys) or `hash`. `texts` marks the key words that are
    addresses.
    """

    how: str
    keys: tuple[KeyColumn, ...]
    accumulators: tuple[Accumulator, ...]
    texts: tuple[int, ...] = ()

    @property
    def states(self) -> tuple[StateArray, ...]:
        return tuple(state for acc in self.accumulators for state in acc.states)

    @property
    def is_ordered(self) -> bool:
        """Whether the results depend on the order of the rows."""
        return any(accumulator.is_ordered for accumulator in self.accumulators)


def emit_groups(kernel: Kernel, keys: Sequence[Named], calls: Sequence[AggregateCall], rows: int) -> GroupsSpec:
    """Find the row's group and update its states."""
    key_values = [kernel.emit(key.expr) for key in keys]
    grouped = bool(keys)
    bound = [_call(kernel, call, f"a{index}_{call.function}", grouped, rows) for index, call in enumerate(calls)]
    accumulators = tuple(aggregates.build(kernel, bound))
    if not grouped:
        cells = _local_cells(kernel, accumulators)
        spec = GroupsSpec("global", (), accumulators)
    elif kernel.conf.get(HASH_ONLY) is None and _is_dense(key_values, rows):
        spec = GroupsSpec("dense", _dense_keys(key_values), accumulators)
        cells = _array_cells(kernel, accumulators, _dense_group(kernel, key_values, spec.keys))
    else:
        keys_out, words, texts = _key_words(kernel, key_values)
        spec = GroupsSpec("hash", keys_out, accumulators, texts)
        cells = _array_cells(kernel, accumulators, _hash_group(kernel, words, texts))
    for accumulator in accumulators:
        accumulator.update(kernel, cells)
    return spec


def _call(kernel: Kernel, call: AggregateCall, prefix: str, grouped: bool, rows: int) -> Call:
    if call.distinct:
        raise Unsupported("DISTINCT is not supported here", call.function)
    condition = None if call.filter is None else kernel.emit(call.filter).code
    values = tuple(_argument(kernel, arg, condition) for arg in call.args)
    if not values and condition is not None:
        values = (Value(BOOLEAN, Kind.BOOL, condition, condition),)
    if call.function in ("min", "max"):
        values = tuple(_as_text(kernel, value) for value in values)
    return Call(call, values, prefix, grouped, rows, condition)


def _argument(kernel: Kernel, arg: Expr, condition: str | None) -> Value:
    """The argument's value, null where the aggregate's FILTER does not hold."""
    if condition is None:
        return kernel.emit(arg)
    branch = kernel.branch(lambda: kernel.emit(arg))
    if branch.is_cheap:
        kernel.splice(branch)
        value = branch.value
    else:
        from pyflare.codegen.expressions.comparison import done
        from pyflare.codegen.kernel import null_value

        value = kernel.select(condition, branch, done(null_value(arg.type)), arg.type)
    return value.with_ok(kernel.let("counts", conjunction(condition, value.ok)))


def _as_text(kernel: Kernel, value: Value) -> Value:
    if value.kind is not Kind.STR or value.codes is None:
        return value
    address, length = kernel.text(value)
    return replace(value, code=address, length=length, codes=None)


def _state(kernel: Kernel, state: StateArray) -> str:
    return kernel.param(("state", state.name), state.name, buffer(state.dtype), lambda frame: frame.states[state.name])


def _local_cells(kernel: Kernel, accumulators: Sequence[Accumulator]) -> dict[str, str]:
    """A global aggregate's states live in local variables while the loop runs."""
    cells = {}
    for state in (s for acc in accumulators for s in acc.states):
        array, local = _state(kernel, state), kernel.writer.fresh(state.name.split("_", 1)[1])
        if state.width == 2:
            kernel.prologue.append(f"{local} = ({array}[0], {array}[1])")
            kernel.epilogue.append(f"{array}[0], {array}[1] = {local}")
        else:
            kernel.prologue.append(f"{local} = {array}[0]")
            kernel.epilogue.append(f"{array}[0] = {local}")
        cells[state.name] = local
        cells[state.name + "="] = local + " = {}"
    return cells


def _array_cells(kernel: Kernel, accumulators: Sequence[Accumulator], group: str) -> dict[str, str]:
    cells = {}
    for state in (s for acc in accumulators for s in acc.states):
        array = _state(kernel, state)
        if state.width == 2:
            cells[state.name] = f"({array}[uint64(2) * {group}], {array}[uint64(2) * {group} + uint64(1)])"
            cells[state.name + "="] = f"{kernel.use('int128.wide_put')}({array}, {group}, {{}})"
        else:
            cells[state.name] = f"{array}[{group}]"
    return cells


# Dense groups ---------------------------------------------------------------------------------------------------------


def _is_dense(values: Sequence[Value], rows: int) -> bool:
    """Whether the keys have so few combinations that each may have its place; no more than rows, if these are many."""
    product = 1
    for value in values:
        if value.codes is not None:
            product *= TYPICAL_DICTIONARY
        elif value.kind is Kind.BOOL:
            product *= 3
        elif value.kind is Kind.INT:
            low, high = value.bounds
            product *= high - low + 2
        else:
            return False
    return product <= max(MIN_DENSE_GROUPS, min(rows, MAX_DENSE_GROUPS))


def _dense_keys(values: Sequence[Value]) -> tuple[KeyColumn, ...]:
    return tuple(_dense_key(value) for value in values)


def _dense_key(value: Value) -> KeyColumn:
    bit = 0 if value.ok is not None else None
    extra = 1 if value.ok is not None else 0
    if value.codes is not None:
        return KeyColumn(Layout(value.type, Encoding.CODES, value.nullable), value.codes.column, bit=bit)
    if value.kind is Kind.BOOL:
        return KeyColumn(Layout(value.type, nullable=value.nullable), None, bit=bit, span=2 + extra)
    low, high = value.bounds
    layout = Layout(value.type, nullable=value.nullable, low=low, high=high)
    return KeyColumn(layout, None, bit=bit, low=low, span=high - low + 1 + extra)


def _dense_group(kernel: Kernel, values: Sequence[Value], keys: Sequence[KeyColumn]) -> str:
    """Number the group by its keys: a mixed-radix number, one digit a key, digit 0 for null."""
    occupied = kernel.param("occupied", "occupied", buffer("uint8"), lambda frame: frame.states["occupied"])
    group = ""
    for index, (value, key) in enumerate(zip(values, keys, strict=True)):
        digit = _digit(value, key)
        if not group:
            group = digit
        else:
            span = kernel.param(("span", index), f"span{index}", scalar("int64"), _span(index))
            group = f"({group}) * {span} + {digit}"
    name = kernel.let("g", f"uint64({group})")
    kernel.line(f"{occupied}[{name}] = uint8(1)")
    return name


def _span(index: int):  # type: ignore[no-untyped-def]
    return lambda frame: frame.states["spans"][index]


def _digit(value: Value, key: KeyColumn) -> str:
    if value.codes is not None:
        code = value.codes.name
    elif value.kind is Kind.BOOL:
        code = f"int64({value.code})"
    else:
        code = value.code if key.low == 0 else f"({value.code} - int64({key.low}))"
    return code if value.ok is None else f"({code} + int64(1) if {value.ok} else int64(0))"


# Hashed groups --------------------------------------------------------------------------------------------------------


def _key_words(kernel: Kernel, values: Sequence[Value]) -> tuple[tuple[KeyColumn, ...], list[str], tuple[int, ...]]:
    """The 64-bit words that tell one key from another: a word of null bits if a key may be null, then each key's."""
    words: list[str] = []
    texts: list[int] = []
    keys: list[KeyColumn] = []
    nullable = [value for value in values if value.ok is not None]
    if len(nullable) > _WORD_BITS:
        raise Unsupported(f"more than {_WORD_BITS} keys that may be null", "HashAggregateExec")
    if nullable:
        bits = " | ".join(f"(int64({value.ok}) << {bit})" for bit, value in enumerate(nullable))
        words.append(kernel.let("valid", bits))
        texts.append(0)
    bit = 0
    for value in values:
        layout, source, codes, marks = _words_of(kernel, value)
        null_bit = None
        if value.ok is not None:
            codes = [f"({code} if {value.ok} else int64(0))" for code in codes]
            null_bit, bit = bit, bit + 1
        keys.append(KeyColumn(layout, source, len(words), null_bit, width=len(codes)))
        words.extend(kernel.let("key", code) for code in codes)
        texts.extend(marks)
    return tuple(keys), words, tuple(texts)


def _words_of(kernel: Kernel, value: Value) -> tuple[Layout, Source | None, list[str], list[int]]:
    layout = Layout(value.type, nullable=value.nullable, low=value.low, high=value.high)
    if value.kind is Kind.STR and value.codes is not None:
        return (
            replace(layout, encoding=Encoding.CODES, low=None, high=None),
            value.codes.column,
            [value.codes.name],
            [0],
        )
    if value.kind is Kind.STR:
        text = [f"int64({value.code})", value.length]
        return replace(layout, encoding=Encoding.VIEWS, low=None, high=None), None, text, [1, 0]
    if value.kind is Kind.WIDE:
        return layout, None, [f"{value.code}[0]", f"{value.code}[1]"], [0, 0]
    if value.kind in (Kind.F32, Kind.F64):
        bits = "bits32" if value.kind is Kind.F32 else "bits64"
        return replace(layout, low=None, high=None), None, [f"{kernel.use('floats.' + bits)}({value.code})"], [0]
    if value.kind is Kind.BOOL:
        return replace(layout, low=None, high=None), None, [f"int64({value.code})"], [0]
    if value.kind is Kind.NULL:
        return layout, None, ["int64(0)"], [0]
    return layout, None, [value.code], [0]


def words_of(kernel: Kernel, value: Value) -> list[str]:
    """A value's key words, as many as its type has: always two for a decimal of more than 18 digits."""
    if value.kind is Kind.STR:
        address, length = kernel.text(value)
        return [f"int64({address})", length]
    if value.type.kind is Kind.WIDE and value.kind is Kind.INT:
        return [value.code, f"{value.code} >> 63"]
    return _words_of(kernel, value)[2]


def _table(kernel: Kernel, name: str, element: str) -> str:
    return kernel.param(("table", name), name, buffer(element), lambda frame: frame.states[name])


def _hash_group(kernel: Kernel, words: Sequence[str], texts: Sequence[int]) -> str:
    """Open addressing with linear probing; a full table stops the kernel before the row, to be grown by the runtime."""
    slots, hashes = _table(kernel, "ht_slots", "int32"), _table(kernel, "ht_hashes", "uint64")
    keys, counter = _table(kernel, "ht_keys", "int64"), _table(kernel, "ht_count", "int64")
    hashed = kernel.let("h", hash_code(kernel, words, texts))
    slot = kernel.let("slot", f"{hashed} & uint64(len({slots}) - 1)")
    found, at, width = kernel.writer.fresh("found"), kernel.writer.fresh("at"), len(words)
    with kernel.block("while True"):
        kernel.line(f"{found} = int64({slots}[{slot}])")
        with kernel.block(f"if {found} < 0"):
            kernel.line(f"{found} = {counter}[0]")
            with kernel.block(f"if {found} == len({hashes})"):
                kernel.stop()
            kernel.line(f"{slots}[{slot}] = int32({found})")
            kernel.line(f"{hashes}[uint64({found})] = {hashed}")
            kernel.line(f"{at} = uint64({found}) * uint64({width})")
            for index, word in enumerate(words):
                kernel.line(f"{keys}[{at} + uint64({index})] = {word}")
            if any(texts):
                keep_texts(kernel)
            kernel.line(f"{counter}[0] = {found} + 1")
            kernel.line("break")
        with kernel.block(f"if {hashes}[uint64({found})] == {hashed}"):
            kernel.line(f"{at} = uint64({found}) * uint64({width})")
            with kernel.block(f"if {same_words(kernel, keys, at, words, texts)}"):
                kernel.line("break")
        kernel.line(f"{slot} = ({slot} + uint64(1)) & uint64(len({slots}) - 1)")
    return kernel.let("g", f"uint64({found})")


def hash_code(kernel: Kernel, words: Sequence[str], texts: Sequence[int]) -> str:
    """The hash of some key words; `texts` marks addresses."""
    code = ""
    index = 0
    while index < len(words):
        if texts[index]:
            part = f"{kernel.use('memory.hash_bytes')}(uint64({words[index]}), {words[index + 1]})"
            index += 2
        else:
            part = f"uint64({words[index]})"
            index += 1
        code = f"{kernel.use('memory.hash_word')}({part if not code else f'{code} ^ {part}'})"
    return code


def same_words(kernel: Kernel, keys: str, at: str, words: Sequence[str], texts: Sequence[int]) -> str:
    """Whether the key held at `at` in `keys` is the one in `words`."""
    tests = []
    index = 0
    while index < len(words):
        held = f"{keys}[{at} + uint64({index})]"
        if texts[index]:
            length = f"{keys}[{at} + uint64({index + 1})]"
            equal = kernel.use("memory.bytes_equal")
            tests.append(f"{equal}(uint64({held}), {length}, uint64({words[index]}), {words[index + 1]})")
            index += 2
        else:
            tests.append(f"{held} == {words[index]}")
            index += 1
    return " and ".join(tests)
