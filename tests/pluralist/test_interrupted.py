"""A signal in this process, wherever it finds the code: the exit code is that of the signal."""

import signal

import pydantic
import pytest

from pluralist import application
from tests.pluralist.conftest import Cli


class Written(pydantic.BaseModel):
    """A model in the midst of whose serialisation a signal arrives."""

    number: int

    @pydantic.field_serializer("number")
    def _signalled(self, number: int) -> int:
        signal.raise_signal(signal.Signals(number))
        return number


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_a_library_turns_into_its_own_error_keeps_its_exit_code(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
    code: int,
) -> None:
    met: list[Exception] = []

    def command(*_: object, **__: object) -> None:
        try:
            Written(number=number).model_dump()
        except Exception as error:
            met.append(error)
            raise

    monkeypatch.setattr(application, "APPLICATION", command)
    assert cli("ls") == code
    assert [type(error).__name__ for error in met] == ["PydanticSerializationError"]
    assert capsys.readouterr() == ("", "")
