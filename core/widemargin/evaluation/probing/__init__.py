"""Probing: what an encoder's vectors say by themselves, before any machine learns from them.

`geometry` measures the shape of a cloud of vectors, `words` asks analogies and about words in
contexts, `similarity` about pairs of words, `items` about the items of a data set. The lists of
words in this folder are widemargin's own.
"""
