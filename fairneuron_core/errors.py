"""The errors a person can act on: each message says what is wrong, the value, and what to do."""


class FairNeuronError(Exception):
    """Base of every error that is shown to the user as one sentence, without a traceback."""


class DataError(FairNeuronError):
    """A table cannot be read, or its columns cannot play the roles they were given."""


class ModelError(FairNeuronError):
    """A model file cannot be read, or a network does not fit the data it is used with."""


class SettingError(FairNeuronError):
    """A setting is out of range, unknown, or contradicts another one."""


class NotFoundError(FairNeuronError):
    """A data set, model, run or artefact of that name or id does not exist."""


class Cancelled(FairNeuronError):
    """The user asked for the running work to stop."""

    def __init__(self, message: str = "The work was cancelled before it finished.") -> None:
        super().__init__(message)
