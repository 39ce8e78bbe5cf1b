"""Who may write to whom: the signed trust list as a value, and the decision."""
