"""The speech model is loaded once, however it is asked for."""

from shared.runtime.whisper import default_model_folder, load_whisper


def test_one_model_is_loaded_once_however_it_is_named() -> None:
    loaded = load_whisper("", 1)
    assert load_whisper(threads=1) is loaded
    assert load_whisper(str(default_model_folder()), threads=1) is loaded


def test_another_number_of_threads_is_another_model() -> None:
    assert load_whisper(threads=2) is not load_whisper(threads=1)
