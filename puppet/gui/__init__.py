"""The window. Qt is known here and in `puppet.app` only."""
