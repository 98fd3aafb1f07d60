"""What is asked of pools and of their nodes."""

from fastbatch.local import wire
from fastbatch.local.bodies.programs import NAMED_VALUES, PROGRAM
from fastbatch.local.fields import (
    Check,
    Field,
    Object,
    boolean,
    choice,
    duration,
    identifier,
    integer,
    later,
    listing,
    text,
)

MOST_SLOTS = 256
_SHORTEST_RESIZE = 5 * 60 * wire.SECOND

START_TASK = Object(
    {
        **PROGRAM,
        "maxTaskRetryCount": Field(integer(-1), default=0),
        "waitForSuccess": Field(boolean, default=True),
    }
)

_IMAGE = Object(
    {
        "publisher": text(128),
        "offer": text(128),
        "sku": text(128),
        "version": Field(text(128), default="latest"),
        "virtualMachineImageId": later,
        "sharedGalleryImageId": later,
        "communityGalleryImageId": later,
    }
)
_VIRTUAL_MACHINE = Object(
    {
        "imageReference": Field(_IMAGE, required=True),
        "nodeAgentSKUId": Field(text(128, empty=False), required=True),
        "windowsConfiguration": later,
        "dataDisks": later,
        "licenseType": later,
        "containerConfiguration": later,
        "diskEncryptionConfiguration": later,
        "nodePlacementConfiguration": later,
        "extensions": later,
        "osDisk": later,
        "securityProfile": later,
        "serviceArtifactReference": later,
    }
)
_TARGETS: dict[str, Field | Check] = {
    "targetDedicatedNodes": integer(0),
    "targetLowPriorityNodes": integer(0),
    "resizeTimeout": duration(_SHORTEST_RESIZE),
}
_POOL: dict[str, Field | Check] = {
    "displayName": text(1024),
    "vmSize": Field(text(128, empty=False), required=True),
    "virtualMachineConfiguration": Field(_VIRTUAL_MACHINE, required=True),
    "taskSlotsPerNode": Field(integer(1, MOST_SLOTS), default=1),
    "taskSchedulingPolicy": Field(
        Object({"nodeFillType": Field(choice("Spread", "Pack"), required=True), "jobDefaultOrder": later}),
        default={"nodeFillType": "Spread"},
    ),
    "startTask": START_TASK,
    "metadata": NAMED_VALUES,
    "userAccounts": later,
    "applicationPackageReferences": later,
    "certificateReferences": later,
    "enableAutoScale": Field(later, default=False),
    "autoScaleFormula": later,
    "autoScaleEvaluationInterval": later,
    "enableInterNodeCommunication": Field(later, default=False),
    "networkConfiguration": later,
    "mountConfiguration": later,
    "upgradePolicy": later,
    "resourceTags": later,
    "targetNodeCommunicationMode": later,
}
POOL = Object({"id": Field(identifier, required=True), **_POOL, **_TARGETS})
POOL_PROPERTIES = Object(
    {
        "startTask": START_TASK,
        "metadata": NAMED_VALUES,
        "applicationPackageReferences": later,
        "certificateReferences": later,
        "targetNodeCommunicationMode": later,
    }
)
POOL_PATCH = Object(_POOL).without_defaults()

DEALLOCATION = choice("requeue", "terminate", "taskcompletion", "retaineddata")
RESIZE = Object({**_TARGETS, "nodeDeallocationOption": Field(DEALLOCATION, default="requeue")})
REMOVE_NODES = Object(
    {
        "nodeList": Field(listing(text(128, empty=False), 100), required=True),
        "resizeTimeout": duration(_SHORTEST_RESIZE),
        "nodeDeallocationOption": Field(DEALLOCATION, default="requeue"),
    }
)
REBOOT = Object({"nodeRebootOption": DEALLOCATION})
REIMAGE = Object({"nodeReimageOption": DEALLOCATION})
DISABLE_SCHEDULING = Object({"nodeDisableSchedulingOption": choice("requeue", "terminate", "taskcompletion")})
