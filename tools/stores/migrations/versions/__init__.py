"""One file per change of form, numbered."""
