"""What is asked of tasks."""

from fastbatch.local.bodies.dependencies import depends_on
from fastbatch.local.bodies.pools import MOST_SLOTS
from fastbatch.local.bodies.programs import PROGRAM
from fastbatch.local.fields import Check, Field, Object, choice, duration, identifier, integer, later, listing, text

MOST_TASKS = 100  # in one collection

_EXIT_OPTIONS = Object(
    {"jobAction": choice("none", "disable", "terminate"), "dependencyAction": choice("satisfy", "block")}
)
_EXIT_CONDITIONS = Object(
    {
        "exitCodes": listing(
            Object({"code": Field(integer(), required=True), "exitOptions": Field(_EXIT_OPTIONS, required=True)})
        ),
        "exitCodeRanges": listing(
            Object(
                {
                    "start": Field(integer(), required=True),
                    "end": Field(integer(), required=True),
                    "exitOptions": Field(_EXIT_OPTIONS, required=True),
                }
            )
        ),
        "preProcessingError": _EXIT_OPTIONS,
        "fileUploadError": _EXIT_OPTIONS,
        "default": _EXIT_OPTIONS,
    }
)
_UPLOAD_HEADERS = Object(
    {
        "name": Field(
            choice(
                "x-ms-blob-content-type",
                "x-ms-blob-content-encoding",
                "x-ms-blob-content-language",
                "x-ms-blob-content-disposition",
                "x-ms-blob-cache-control",
            ),
            required=True,
        ),
        "value": text(1024),
    }
)
_CONTAINER = Object(
    {
        "containerUrl": Field(text(16384, empty=False), required=True),
        "path": text(1024),
        "identityReference": later,
        "uploadHeaders": listing(_UPLOAD_HEADERS),
    }
)
_OUTPUT_FILE = Object(
    {
        "filePattern": Field(text(1024, empty=False), required=True),
        "destination": Field(Object({"container": Field(_CONTAINER, required=True)}), required=True),
        "uploadOptions": Field(
            Object({"uploadCondition": Field(choice("tasksuccess", "taskfailure", "taskcompletion"), required=True)}),
            required=True,
        ),
    }
)
_TASK_CONSTRAINTS: dict[str, Check] = {
    "maxWallClockTime": duration(),
    "retentionTime": duration(),
    "maxTaskRetryCount": integer(-1),
}
TASK = Object(
    {
        "id": Field(identifier, required=True),
        "displayName": text(1024),
        **PROGRAM,
        "outputFiles": listing(_OUTPUT_FILE),
        "constraints": Object(_TASK_CONSTRAINTS),
        "requiredSlots": Field(integer(1, MOST_SLOTS), default=1),
        "exitConditions": _EXIT_CONDITIONS,
        "dependsOn": depends_on,
        "affinityInfo": Object({"affinityId": Field(text(256), required=True)}),
        "multiInstanceSettings": later,
        "applicationPackageReferences": later,
        "authenticationTokenSettings": later,
    }
)
TASK_COLLECTION = Object({"value": Field(listing(lambda value, _where: value, MOST_TASKS), required=True)})
TASK_UPDATE = Object({"constraints": Object(_TASK_CONSTRAINTS)})
