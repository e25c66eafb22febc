"""Everything that is known about DynamoDB; one function is one request."""
