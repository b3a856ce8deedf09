// As much of UnityEngine as our scripts use, and as much of its behaviour as a test can ask for.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace UnityEngine
{
    public class Object
    {
        public string name = "";

        public static void Destroy(Object target)
        {
        }
    }

    public sealed class GameObject : Object
    {
        public readonly Transform transform = new Transform();
        public string tag = "Untagged";

        public GameObject(string name, params Type[] components)
        {
        }

        public T GetComponent<T>() where T : new()
        {
            return new T();
        }
    }

    public class ScriptableObject : Object
    {
        public static T CreateInstance<T>() where T : ScriptableObject, new()
        {
            return new T();
        }
    }

    public class Component : Object
    {
        public readonly Transform transform;

        public T GetComponent<T>() where T : new()
        {
            return new T();
        }
    }

    public class MonoBehaviour : Component
    {
    }

    public sealed class Transform : Component
    {
        public Vector3 position { get; set; }
    }

    public sealed class Camera : Component
    {
        public static readonly Camera main;
        public bool orthographic;
        public float orthographicSize;
        public float aspect;
        public CameraClearFlags clearFlags;
        public Color backgroundColor;
    }

    public enum CameraClearFlags { Skybox, SolidColor }

    public struct Color
    {
        public Color(float red, float green, float blue)
        {
        }
    }

    public sealed class Event
    {
        public static readonly Event current;
        public EventType type;
        public KeyCode keyCode;
    }

    public enum EventType { MouseDown, KeyDown }

    public enum KeyCode { None, Space, LeftArrow, RightArrow }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class RuntimeInitializeOnLoadMethodAttribute : Attribute
    {
    }

    public sealed class Sprite : Object
    {
    }

    public sealed class SpriteRenderer : Component
    {
        public Sprite sprite { get; set; }
    }

    public struct Vector2
    {
        public float x, y;

        public Vector2(float x, float y)
        {
            this.x = x;
            this.y = y;
        }
    }

    public struct Vector3
    {
        public Vector3(float x, float y, float z)
        {
        }
    }

    public struct Rect
    {
        public float x, y, width, height;

        public Rect(float x, float y, float width, float height)
        {
            this.x = x;
            this.y = y;
            this.width = width;
            this.height = height;
        }

        public static bool operator ==(Rect a, Rect b)
        {
            return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height;
        }

        public static bool operator !=(Rect a, Rect b)
        {
            return !(a == b);
        }

        public override bool Equals(object other)
        {
            return other is Rect && this == (Rect)other;
        }

        public override int GetHashCode()
        {
            return x.GetHashCode();
        }
    }

    public enum FilterMode { Point, Bilinear, Trilinear }

    public enum SpriteAlignment { Center = 0, Custom = 9 }

    public static class Mathf
    {
        public static int Max(int a, int b)
        {
            return Math.Max(a, b);
        }

        public static int NextPowerOfTwo(int value)
        {
            var power = 1;
            while (power < value)
            {
                power *= 2;
            }
            return power;
        }
    }

    public static class Random
    {
        public static float Range(float first, float last)
        {
            return last;
        }

        public static int Range(int first, int end)
        {
            return end - 1;
        }
    }

    public static class Debug
    {
        public static void Log(object message)
        {
            Console.WriteLine("log\t" + message);
        }

        public static void LogWarning(object message)
        {
            Console.WriteLine("warning\t" + message);
        }

        public static void LogWarning(object message, Object context)
        {
            LogWarning(message);
        }

        public static void LogError(object message)
        {
            Console.WriteLine("error\t" + message);
        }
    }

    public static class Application
    {
        public static string dataPath = System.IO.Path.GetFullPath("Assets");
    }

    public static class Resources
    {
        /// <summary>What the editor has created, by path.</summary>
        public static readonly Dictionary<string, Object> Assets = new Dictionary<string, Object>();

        public static T Load<T>(string path) where T : Object
        {
            foreach (var asset in Assets)
            {
                if (asset.Key.EndsWith("/Resources/" + path + ".asset"))
                {
                    return (T)asset.Value;
                }
            }
            return null;
        }
    }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class SerializeField : Attribute
    {
    }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class TooltipAttribute : Attribute
    {
        public TooltipAttribute(string text)
        {
        }
    }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class RequireComponent : Attribute
    {
        public RequireComponent(Type type)
        {
        }
    }

    public sealed class GUIContent
    {
        public GUIContent(string text, string tooltip)
        {
        }
    }

    public static class GUILayout
    {
        public static void Label(string text)
        {
        }

        public static bool Button(string text)
        {
            return false;
        }
    }

    /// <summary>Unity's reader: fields of serializable classes, lists, strings, numbers; what has no field is skipped.</summary>
    public static class JsonUtility
    {
        public static T FromJson<T>(string json)
        {
            if (json.Length == 0)
            {
                return default(T);
            }
            var place = 0;
            var value = Value(json, ref place);
            Blank(json, ref place);
            if (place != json.Length)
            {
                throw new ArgumentException("JSON parse error: The document root must not follow by other values.");
            }
            return (T)Convert(value, typeof(T));
        }

        private static object Convert(object value, Type type)
        {
            var pairs = value as Dictionary<string, object>;
            var list = value as List<object>;
            if (list != null)
            {
                var made = (IList)Activator.CreateInstance(type);
                foreach (var item in list)
                {
                    made.Add(Convert(item, type.GetGenericArguments()[0]));
                }
                return made;
            }
            if (pairs == null)
            {
                return value == null ? (type == typeof(string) ? "" : null) : System.Convert.ChangeType(value, type);
            }
            var found = Activator.CreateInstance(type);
            foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Instance))
            {
                if (pairs.ContainsKey(field.Name))
                {
                    field.SetValue(found, Convert(pairs[field.Name], field.FieldType));
                }
            }
            return found;
        }

        private static void Blank(string json, ref int place)
        {
            while (place < json.Length && char.IsWhiteSpace(json[place]))
            {
                place++;
            }
        }

        private static bool Take(string json, ref int place, char wanted)
        {
            Blank(json, ref place);
            if (place < json.Length && json[place] == wanted)
            {
                place++;
                return true;
            }
            return false;
        }

        private static void Need(string json, ref int place, char wanted)
        {
            if (!Take(json, ref place, wanted))
            {
                throw new ArgumentException("JSON parse error: Missing " + wanted + ".");
            }
        }

        private static object Value(string json, ref int place)
        {
            if (Take(json, ref place, '{'))
            {
                var pairs = new Dictionary<string, object>();
                while (!Take(json, ref place, '}'))
                {
                    if (pairs.Count > 0)
                    {
                        Need(json, ref place, ',');
                    }
                    Need(json, ref place, '"');
                    var key = Text(json, ref place);
                    Need(json, ref place, ':');
                    pairs[key] = Value(json, ref place);
                }
                return pairs;
            }
            if (Take(json, ref place, '['))
            {
                var list = new List<object>();
                while (!Take(json, ref place, ']'))
                {
                    if (list.Count > 0)
                    {
                        Need(json, ref place, ',');
                    }
                    list.Add(Value(json, ref place));
                }
                return list;
            }
            if (Take(json, ref place, '"'))
            {
                return Text(json, ref place);
            }
            var end = json.IndexOfAny(new[] { ',', ']', '}', '\n' }, place);
            var word = json.Substring(place, (end < 0 ? json.Length : end) - place).Trim();
            place += word.Length;
            double number;
            if (word == "null" || word == "true" || word == "false")
            {
                return word == "null" ? null : (object)(word == "true");
            }
            if (!double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out number))
            {
                throw new ArgumentException("JSON parse error: Invalid value.");
            }
            return number;
        }

        private static string Text(string json, ref int place)
        {
            var text = new StringBuilder();
            for (; place < json.Length && json[place] != '"'; place++)
            {
                if (json[place] == '\\' && json[++place] == 'u')
                {
                    text.Append((char)System.Convert.ToInt32(json.Substring(place + 1, 4), 16));
                    place += 4;
                }
                else
                {
                    text.Append(json[place - 1] == '\\' && json[place] == 'n' ? '\n' : json[place]);
                }
            }
            Need(json, ref place, '"');
            return text.ToString();
        }
    }
}
