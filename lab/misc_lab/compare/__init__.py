"""The same pictures over every link, ours beside other codecs' files: what is seen, and when."""
