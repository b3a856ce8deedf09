"""p(class | sprite): one module a scorer, each a network run by the same runtime."""
