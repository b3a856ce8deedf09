return {
  format = 1,
  image = "all.png",
  width = 22, height = 12,
  sprites = {
    { name = "bat_000000", type = "bat", x = 2, y = 2, width = 8, height = 8, score = 0.5000 },
    { name = "cat_000000", type = "cat", x = 12, y = 2, width = 8, height = 8, score = 0.5000 },
  },
}
