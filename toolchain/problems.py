"""What can go wrong while the environment is made. Raised everywhere in this folder, shown once, by the script's `main`."""


class SetupError(Exception):
    """One sentence that says what is wrong and the mend; `exit_code` 2 is the machine's state, 1 is anything else."""

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
