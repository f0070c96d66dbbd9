"""Model cards and evidence: views of what the other rooms recorded."""
