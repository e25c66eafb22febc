"""The only code that knows DynamoDB's expressions, keys and wire values."""
