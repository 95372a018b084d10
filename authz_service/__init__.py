"""Policy as code: a service that answers "can X do Y on Z?" from Polar policies."""
