"""Preferences: each module that exports `REWARD` turns samples into scores."""
