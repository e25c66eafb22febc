"""What PayFirst does, one function per verb; everything a use case needs is an argument."""
