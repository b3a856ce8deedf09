using System;
using System.Collections.Generic;
using System.IO;
using UnityEngine;

namespace AssetGen.Editor
{
    /// <summary>sprites.unity.json: what `assetgen batch` has published into a folder of this project.</summary>
    [Serializable]
    public sealed class SheetList
    {
        public const string FileName = "sprites.unity.json";
        private const int Format = 1;

        public int format;
        public List<Sheet> sheets = new List<Sheet>();

        [Serializable]
        public sealed class Sheet
        {
            /// <summary>The picture's path, relative to the list's folder.</summary>
            public string image;
            public string type;
            public int width;
            public int height;
            public List<Entry> sprites = new List<Entry>();
        }

        [Serializable]
        public sealed class Entry
        {
            public string name;
            public string type;
            public string label;
            public float score;
            /// <summary>Lower left corner in pixels, from the picture's lower left corner.</summary>
            public int x;
            public int y;
            public int width;
            public int height;
            /// <summary>A part of width and height, from the lower left corner.</summary>
            public float pivotX;
            public float pivotY;
            /// <summary>32 hexadecimal digits, the same as in the .meta that the batch writes.</summary>
            public string spriteID;
        }

        /// <summary>The list in a file; null, and a message, where it can't be read.</summary>
        public static SheetList Read(string path)
        {
            try
            {
                var list = JsonUtility.FromJson<SheetList>(File.ReadAllText(path));
                if (list != null && list.format == Format)
                {
                    return list;
                }
                Debug.LogError(path + " isn't of format " + Format + ". Run `assetgen integrate unity`, which updates "
                    + "the scripts that read it.");
            }
            catch (Exception error) when (error is IOException || error is ArgumentException
                || error is UnauthorizedAccessException)
            {
                Debug.LogError(path + " can't be read (" + error.Message + "). Run `assetgen batch` again.");
            }
            return null;
        }

        /// <summary>The path of the list that may name an asset: in its folder or in one above; null: there is none.</summary>
        public static string PathFor(string assetPath)
        {
            for (var folder = Folder(assetPath); folder.Length > 0; folder = Folder(folder))
            {
                var path = folder + "/" + FileName;
                if (File.Exists(path))
                {
                    return path;
                }
            }
            return null;
        }

        /// <summary>The sheet whose picture an asset is; null: it is none of ours.</summary>
        public static Sheet For(string assetPath)
        {
            var path = PathFor(assetPath);
            var list = path == null ? null : Read(path);
            return list == null ? null : list.sheets.Find(sheet => Folder(path) + "/" + sheet.image == assetPath);
        }

        /// <summary>The part of an asset's path before the last slash; empty where there is none.</summary>
        public static string Folder(string assetPath)
        {
            var slash = assetPath.LastIndexOf('/');
            return slash < 0 ? "" : assetPath.Substring(0, slash);
        }
    }
}
