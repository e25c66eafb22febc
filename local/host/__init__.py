"""The light local host: real Lambda handlers behind a REST API's behaviour, on one machine and without Docker.

`python -m local.host` reads its configuration (`HostConfig`) as one line of JSON from standard input, serves until that input
ends or a signal asks it to stop, and tells what happens as JSON lines on standard output.
"""
