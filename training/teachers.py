"""Teacher networks come as python files beside their weights, in a folder that is no package."""

import importlib.util
from pathlib import Path
from types import ModuleType

__all__ = ["load_by_path"]


def load_by_path(path: Path) -> ModuleType:
    """Import a python file that is not on the module path.

    Raises:
        FileNotFoundError: There is no such file, or it is no python file.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
