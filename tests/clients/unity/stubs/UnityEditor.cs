// As much of UnityEditor as our scripts use. Each arm of UNITY_2021_2_OR_NEWER has the other one's sprites hidden.
using System;
using System.Collections.Generic;
using UnityEngine;

namespace UnityEditor
{
    public class AssetImporter : UnityEngine.Object
    {
        public string assetPath;
        public bool importSettingsMissing { get; set; }
    }

    public enum TextureImporterType { Default = 0, Sprite = 8 }

    public enum SpriteImportMode { None, Single, Multiple }

    public enum TextureImporterCompression { Uncompressed, Compressed }

    public enum TextureImporterNPOTScale { None, ToNearest }

    public sealed class TextureImporter : AssetImporter
    {
        public FilterMode filterMode = FilterMode.Bilinear;
        public TextureImporterCompression textureCompression = TextureImporterCompression.Compressed;
        public bool mipmapEnabled = true;
        public TextureImporterNPOTScale npotScale = TextureImporterNPOTScale.ToNearest;
        public float spritePixelsPerUnit = 100;
        public TextureImporterType textureType;
        public SpriteImportMode spriteImportMode;
        public int maxTextureSize = 2048;

        /// <summary>How often sprites were written.</summary>
        public int Applied;
#if UNITY_2021_2_OR_NEWER
        public U2D.Sprites.SpriteRect[] Rects = new U2D.Sprites.SpriteRect[0];
        public List<U2D.Sprites.SpriteNameFileIdPair> Pairs = new List<U2D.Sprites.SpriteNameFileIdPair>();
#else
        private SpriteMetaData[] sprites = new SpriteMetaData[0];

        public SpriteMetaData[] spritesheet
        {
            get { return (SpriteMetaData[])sprites.Clone(); }
            set
            {
                sprites = value;
                Applied++;
            }
        }
#endif
    }

#if !UNITY_2021_2_OR_NEWER
    public struct SpriteMetaData
    {
        public string name;
        public Rect rect;
        public int alignment;
        public Vector2 pivot;
    }
#endif

    public struct GUID
    {
        private readonly string hex;

        public GUID(string hex)
        {
            if (hex.Length != 32)
            {
                throw new ArgumentException("not a GUID: " + hex);
            }
            this.hex = hex;
        }

        public override string ToString()
        {
            return hex;
        }
    }

    public class AssetPostprocessor
    {
        public string assetPath { get; set; }
        public AssetImporter assetImporter { get; set; }

        public virtual uint GetVersion()
        {
            return 0;
        }
    }

    public static class AssetDatabase
    {
        public static Dictionary<string, UnityEngine.Object> Assets
        {
            get { return Resources.Assets; }
        }

        /// <summary>The sprites that an import made, by the picture's path.</summary>
        public static readonly Dictionary<string, UnityEngine.Object[]> Imported = new Dictionary<string, UnityEngine.Object[]>();
        private static readonly HashSet<string> Folders = new HashSet<string>();

        public static UnityEngine.Object[] LoadAllAssetsAtPath(string path)
        {
            return Imported.ContainsKey(path) ? Imported[path] : new UnityEngine.Object[0];
        }

        public static T LoadAssetAtPath<T>(string path) where T : UnityEngine.Object
        {
            return Assets.ContainsKey(path) ? (T)Assets[path] : null;
        }

        public static bool IsValidFolder(string path)
        {
            return Folders.Contains(path);
        }

        public static string CreateFolder(string parent, string name)
        {
            Folders.Add(parent + "/" + name);
            return "";
        }

        public static void CreateAsset(UnityEngine.Object asset, string path)
        {
            if (!Folders.Contains(path.Substring(0, path.LastIndexOf('/'))))
            {
                throw new InvalidOperationException("Parent directory must exist before creating asset at " + path);
            }
            Assets.Add(path, asset);
        }

        public static void SaveAssets()
        {
        }

        public static void Refresh()
        {
        }
    }

    public static class EditorApplication
    {
        public delegate void CallbackFunction();

        public static CallbackFunction delayCall;
        public static CallbackFunction update;
    }

    public static class EditorUtility
    {
        public static void SetDirty(UnityEngine.Object target)
        {
        }

        public static bool DisplayDialog(string title, string message, string ok, string cancel)
        {
            return true;
        }
    }

    public static class EditorPrefs
    {
        public static string GetString(string key, string otherwise)
        {
            return otherwise;
        }

        public static void SetString(string key, string value)
        {
        }
    }

    public enum MessageType { None, Info, Warning, Error }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class MenuItem : Attribute
    {
        public MenuItem(string path)
        {
        }
    }

    public class EditorWindow : ScriptableObject
    {
        public static T GetWindow<T>(string title) where T : EditorWindow, new()
        {
            return new T();
        }

        public void Show()
        {
        }

        public void Repaint()
        {
        }
    }

    public static class EditorGUI
    {
        public sealed class DisabledScope : IDisposable
        {
            public DisabledScope(bool disabled)
            {
            }

            public void Dispose()
            {
            }
        }

        public static void ProgressBar(Rect place, float value, string text)
        {
        }
    }

    public static class EditorGUILayout
    {
        public static string TextField(string label, string text)
        {
            return text;
        }

        public static string TextField(GUIContent label, string text)
        {
            return text;
        }

        public static string DelayedTextField(GUIContent label, string text)
        {
            return text;
        }

        public static void HelpBox(string text, MessageType kind)
        {
        }

        public static Rect GetControlRect()
        {
            return new Rect();
        }
    }
}

#if UNITY_2021_2_OR_NEWER
namespace UnityEditor.U2D.Sprites
{
    public class SpriteRect
    {
        public string name { get; set; }
        public GUID spriteID { get; set; }
        public Rect rect { get; set; }
        public SpriteAlignment alignment { get; set; }
        public Vector2 pivot { get; set; }
    }

    public class SpriteNameFileIdPair
    {
        private readonly GUID id;

        public SpriteNameFileIdPair(string name, GUID fileId)
        {
            this.name = name;
            id = fileId;
        }

        public string name { get; set; }

        public GUID GetFileGUID()
        {
            return id;
        }
    }

    public interface ISpriteNameFileIdDataProvider
    {
        IEnumerable<SpriteNameFileIdPair> GetNameFileIdPairs();
        void SetNameFileIdPairs(IEnumerable<SpriteNameFileIdPair> pairs);
    }

    public interface ISpriteEditorDataProvider
    {
        void InitSpriteEditorDataProvider();
        SpriteRect[] GetSpriteRects();
        void SetSpriteRects(SpriteRect[] rects);
        T GetDataProvider<T>() where T : class;
        void Apply();
    }

    public sealed class SpriteDataProviderFactories
    {
        public void Init()
        {
        }

        public ISpriteEditorDataProvider GetSpriteEditorDataProviderFromObject(UnityEngine.Object importer)
        {
            return new Provider((TextureImporter)importer);
        }

        private sealed class Provider : ISpriteEditorDataProvider, ISpriteNameFileIdDataProvider
        {
            private readonly TextureImporter importer;
            private SpriteRect[] rects;
            private List<SpriteNameFileIdPair> pairs;

            public Provider(TextureImporter importer)
            {
                this.importer = importer;
            }

            public void InitSpriteEditorDataProvider()
            {
                rects = importer.Rects;
                pairs = importer.Pairs;
            }

            public SpriteRect[] GetSpriteRects()
            {
                return (SpriteRect[])rects.Clone();
            }

            public void SetSpriteRects(SpriteRect[] changed)
            {
                rects = changed;
            }

            public T GetDataProvider<T>() where T : class
            {
                return this as T;
            }

            public IEnumerable<SpriteNameFileIdPair> GetNameFileIdPairs()
            {
                return pairs;
            }

            public void SetNameFileIdPairs(IEnumerable<SpriteNameFileIdPair> changed)
            {
                pairs = new List<SpriteNameFileIdPair>(changed);
            }

            public void Apply()
            {
                importer.Rects = rects;
                importer.Pairs = pairs;
                importer.Applied++;
            }
        }
    }
}
#endif
