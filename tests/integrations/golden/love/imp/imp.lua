return {
  format = 1,
  image = "imp/imp.png",
  width = 22, height = 22,
  sprites = {
    { name = "imp_000000", type = "imp", x = 2, y = 2, width = 8, height = 8, score = 0.5000 },
    { name = "imp_000001", type = "imp", x = 12, y = 2, width = 8, height = 8, score = 0.5625 },
    { name = "imp_000002", type = "imp", x = 2, y = 12, width = 8, height = 8, score = 0.6250 },
  },
}
