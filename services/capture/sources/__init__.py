"""Where sound and pictures come from; the agent sees all of them through one port."""
