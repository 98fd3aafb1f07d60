"""
Misbehaving on order: a plan of what is to go wrong with calls of Batch, with the storage, and on the nodes.

The plan is at `/local/faults`, by requests that are signed as all are: GET shows it, PUT replaces it by
`{"seed": 0, "rules": [...]}`, POST adds the rules of `{"rules": [...]}`, and DELETE clears it; each answers with the
plan. It is in force until it is changed or the service ends. A rule is

    {"operation": "create_task_collection", "fault": "dropAfter", "after": 1, "count": 2, "probability": 0.5}

and parameters of the fault. Of the calls that it takes, the first `after` are spared, and then it applies with a
probability, `count` times at most; only the first two of the five must be given. Rules are tried in their order and
the first that applies wins, but `delay`, `slow` and `limitRate` let others go on. What is shown of a rule has, besides,
how many calls it has `seen` and to how many it was `applied`. All chance comes from the seed: the same calls go wrong
again.

`operation` is a name or a glob: of a call of Batch, by its name in the Python SDK; of the storage, `storage.put_blob`,
`get_blob`, `head_blob`, `delete_blob`, `put_block`, `put_block_list`, `create_container`, `delete_container`,
`list_blobs`, `list_containers` or `other`, at the port that `asking.storage_with_faults` tells; on a node,
`node.run_start_task` or `node.run_task`. A rule takes those that its fault fits:

    Batch    refuse {status: 503, or 429, 500; retryAfter}   an error of the service, and nothing is done
             limitRate {perSecond; burst: 1; retryAfter}     429 for what is more, of all its operations together
             delay {seconds}                                 it is done so much later
             dropBefore                                      the connection is closed, and nothing is done
             dropAfter                                       it is done, and the connection is closed
             shortResults {missing: 1}                       create_task_collection: the last results are not told
             reorderResults                                  create_task_collection: they come in reverse
             pascalStatuses                                  create_task_collection: Success, ClientError
             someServerErrors {number: 1}                    create_task_collection: the first tasks are not added
             staleCounts                                     get_job_task_counts: those of the call before
    storage  refuse {status: 503, or 500; retryAfter}, delay {seconds}, dropBefore, dropAfter
             cut                                             a reset in the middle of what is uploaded or downloaded
             damage                                          one bit of that is turned, and sums of it stay as they are
             slow {bytesPerSecond}                           in both directions
    node     slow {seconds}                                  by the service's clock, before the command runs
             fail {exitCode: 1}                              a command that fails runs instead
             loseNode {seconds: 0, returnsAfter}             run_task: the node is lost so long after the task began
             preemptNode {seconds: 0, returnsAfter}          run_task: it is taken away; not if it is dedicated

Each kind is an entry in one of the tables in calls, transfers and runs.
"""
