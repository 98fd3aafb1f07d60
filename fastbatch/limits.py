"""What the services allow."""

# https://learn.microsoft.com/azure/batch/large-number-tasks
TASKS_PER_COLLECTION = 100
COLLECTION_BYTES = 1_048_576

# https://learn.microsoft.com/rest/api/batchservice/task/add-task
ID_LENGTH = 64
RESOURCE_FILES_CHARACTERS = 32_768

# https://learn.microsoft.com/rest/api/batchservice/task/list-tasks
LIST_PAGE = 1000

# https://learn.microsoft.com/azure/batch/batch-parallel-node-tasks
SLOTS_PER_NODE = 256

# https://learn.microsoft.com/rest/api/storageservices/put-block
BLOCKS_PER_BLOB = 50_000

# https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
DELEGATED_SAS_SECONDS = 7 * 86400

# https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
CONTAINER_NAME_LENGTH = 63
