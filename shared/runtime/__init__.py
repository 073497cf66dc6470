"""The two inference runtimes, LiteRT and CTranslate2, behind the few calls that Mien needs."""
