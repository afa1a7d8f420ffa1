"""What holds for every test: the libraries are told to be quiet before any of them is imported."""

from tasks.settings import quiet_libraries

quiet_libraries()
