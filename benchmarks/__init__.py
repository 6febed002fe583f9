"""regcli beside its peers: cross-validation timed and certified, on the same data, folds and strengths."""
